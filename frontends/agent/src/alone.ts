// Runs the application on a page of its own, without the shell.
import { shareReact } from '@bourse/microapp/vendor'
import '@bourse/design/tokens.css'

shareReact()
const [{ runAlone }, app] = await Promise.all([import('@bourse/microapp/standalone'), import('./entry.tsx')])
runAlone('/apps/agent', app)
