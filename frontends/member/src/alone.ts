// Runs the application on a page of its own, without the shell.
import '@bourse/design/tokens.css'
import { shareReact } from '@bourse/microapp/vendor'

shareReact()
const { runAlone } = await import('@bourse/microapp/standalone')
await runAlone('/apps/member')
