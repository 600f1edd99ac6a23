/** A subscription over server-sent events, with headers, which EventSource cannot send. */
export async function* events(endpoint: string, parameters: object, headers: Record<string, string>) {
  const stop = new AbortController()
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', ...headers },
      body: JSON.stringify(parameters),
      signal: stop.signal,
    })
    if (!answer.body || !answer.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      yield await answer.json()
      return
    }
    let rest = ''
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const blocks = (rest + piece.value).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const { event, data } = readEvent(block)
        if (event === 'complete') return
        if (data) yield JSON.parse(data)
      }
    }
  } finally {
    stop.abort()
  }
}

function readEvent(block: string) {
  let event = ''
  const data: string[] = []
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) event = line.slice(6).trim()
    if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
  }
  return { event, data: data.join('\n') }
}
