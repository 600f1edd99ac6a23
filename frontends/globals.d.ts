import 'react'

declare global {
  /** Set by the shell's build: where each application's entry is. */
  const APP_ENTRIES: Record<string, { script: string; styles: string[] }>
}

declare module 'react' {
  interface HTMLAttributes<T> {
    /** What browser tests look for, also where a library takes plain attribute objects. */
    [data: `data-${string}`]: unknown
  }
}
