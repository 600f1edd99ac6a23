// Package daemon runs a router as a process of its own: listeners, health, reload and the way down.
//
//	files ──▶ load ──▶ router.New ──▶ serving ──▶ draining ──▶ end
//	            ▲                        │ ▲
//	            ╰── a file changed, SIGHUP ─╯ Router.Reload; what is wrong is refused, and the router goes on
//
// What a configuration says takes effect with a reload, but for what the listeners were opened with: their addresses, their times and sizes. A
// router that is told to end says at /readyz that it is not ready, serves on for as long as load balancers need to hear of it, takes no more
// work, tells streams to end and waits for what runs.
//
// It knows files, sockets and time; what a configuration means is package config's business, what a request means the router's.
package daemon
