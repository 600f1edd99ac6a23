declare module '*.module.css' {
  const classes: Record<string, string>
  export default classes
}
declare module '*.css'

/** Set by the shell's build: where each application's entry is. */
declare const APP_ENTRIES: Record<string, { script: string; styles: string[] }>
