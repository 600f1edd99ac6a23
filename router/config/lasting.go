package config

import (
	"reflect"
	"sync"
)

// lasting is what configurations that follow each other have together. What counts or remembers lives as long as one of them that is in use
// asks for the same: a reload that leaves a section alone leaves its accounts, caches and counters alone too.
type lasting struct {
	mu   sync.Mutex
	uses []*use
}

// use is one thing that lasts.
type use struct {
	asked any // what it was made for
	it    any
	end   func() // may be nil
	users int
}

// last is what an earlier configuration has for the same ask, else what open makes: with what ends it, which may be nil. Asks are equal when
// they are of one type and reflect.DeepEqual; whatever shapes what is opened is part of them.
func last[T any](b *Built, ask any, open func() (it T, end func(), err error)) (T, error) {
	l := b.lasting
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.uses {
		if it, ok := u.it.(T); ok && reflect.DeepEqual(u.asked, ask) {
			u.users++
			b.OnClose(func() { l.give(u) })
			return it, nil
		}
	}
	it, end, err := open()
	if err != nil {
		return it, err
	}
	u := &use{asked: ask, it: it, end: end, users: 1}
	l.uses = append(l.uses, u)
	b.OnClose(func() { l.give(u) })
	return it, nil
}

// give is called once by each user.
func (l *lasting) give(u *use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u.users--; u.users > 0 {
		return
	}
	for i, other := range l.uses {
		if other == u {
			l.uses = append(l.uses[:i], l.uses[i+1:]...)
			break
		}
	}
	if u.end != nil {
		u.end()
	}
}
