/**
 * The key under which a command is sent. The same content after a lost answer keeps its key, so
 * that one intent makes one order or deposit; once answered, the next press is a new intent.
 */
export class Intent {
  private open: { content: string; key: string } | undefined

  constructor(private readonly make: () => string) {}

  keyFor(content: unknown): string {
    const text = JSON.stringify(content)
    if (this.open?.content !== text) this.open = { content: text, key: this.make() }
    return this.open.key
  }

  /** The exchange answered, one way or the other. */
  answered(): void {
    this.open = undefined
  }
}
