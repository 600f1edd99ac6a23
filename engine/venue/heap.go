package venue

// push adds an item to a heap, whose first item is one that none comes before.
func push[T any](heap []T, item T, before func(a, b *T) bool) []T {
	heap = append(heap, item)
	for at := len(heap) - 1; at > 0; {
		above := (at - 1) / 2
		if !before(&heap[at], &heap[above]) {
			break
		}
		heap[at], heap[above] = heap[above], heap[at]
		at = above
	}
	return heap
}

// pop takes the first item out of a heap.
func pop[T any](heap []T, before func(a, b *T) bool) (T, []T) {
	first, last := heap[0], len(heap)-1
	heap[0] = heap[last]
	heap = heap[:last]
	sink(heap, 0, before)
	return first, heap
}

// sink moves an item down to where it belongs.
func sink[T any](heap []T, at int, before func(a, b *T) bool) {
	for {
		next := 2*at + 1
		if next >= len(heap) {
			return
		}
		if next+1 < len(heap) && before(&heap[next+1], &heap[next]) {
			next++
		}
		if !before(&heap[next], &heap[at]) {
			return
		}
		heap[at], heap[next] = heap[next], heap[at]
		at = next
	}
}
