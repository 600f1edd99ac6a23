package serve

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"bourse/router/upload"
)

const mediaForm = "multipart/form-data"

// CodeUploadTooLarge refuses forms with more files, or with larger ones, than allowed.
const CodeUploadTooLarge = "UPLOAD_LIMIT_EXCEEDED"

// Uploads bounds the files of one request.
type Uploads struct {
	Files     int   // 0: forms are refused
	FileBytes int64 // of one file; default 10 MiB
}

// readForm reads a form with a request, or a list of them, up to its files, which are read as subgraphs take them. A form is what a page of
// another site may send without the browser asking first, so the request must have a header that makes it ask.
func (s *edition) readForm(w http.ResponseWriter, r *http.Request) (in *incoming, refusal *Refusal) {
	if !s.origins.askedFirst(r) {
		return nil, Refuse(http.StatusForbidden, CodeCSRFPrevented, "a form may come from another site's page: send the header "+s.origins.cors.Preflight[0])
	}
	u := s.o.Uploads
	most := s.o.MaxBodyBytes*2 + int64(u.Files)*(u.FileBytes+4096)
	r.Body = http.MaxBytesReader(w, r.Body, most)
	form, err := r.MultipartReader()
	if err != nil {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, "the form cannot be read")
	}
	operations, places, files, err := upload.Read(form, upload.Bounds{Files: u.Files, FileBytes: u.FileBytes, TextBytes: s.o.MaxBodyBytes})
	switch {
	case errors.Is(err, upload.ErrTooMany):
		return nil, Refuse(http.StatusRequestEntityTooLarge, CodeUploadTooLarge, fmt.Sprintf("at most %d files are allowed", u.Files))
	case errors.Is(err, upload.ErrTooLarge):
		return nil, Refuse(http.StatusRequestEntityTooLarge, CodeBadRequest, "a field of the form is too large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, Refuse(http.StatusRequestTimeout, CodeRequestTimeout, "the form did not come in time")
	case errors.Is(err, upload.ErrForm):
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, err.Error())
	case err != nil:
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, "the form cannot be read")
	}
	if in, refusal = s.decode(operations); refusal != nil {
		return nil, refusal
	}
	in.files = files
	var variables []map[string]any
	for _, req := range in.requests {
		variables = append(variables, req.Variables)
	}
	if err := upload.Place(variables, in.list, places); err != nil {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, err.Error())
	}
	// What is left are files, which come while the operation runs and no longer.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.o.RequestTimeout))
	return in, nil
}
