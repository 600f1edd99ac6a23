// Package core keeps what is measured on a processor core of its own, away from what loads it, and reads the system's account of time and
// memory. It does so on Linux; elsewhere nothing is pinned, and the account says zero.
package core
