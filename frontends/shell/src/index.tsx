import { applyPreferences } from '@bourse/design'
import { endpoint } from '@bourse/microapp'
import { shareReact } from '@bourse/microapp/vendor'
import { Session } from '@bourse/session'
import { createRoot } from 'react-dom/client'
import '@bourse/design/tokens.css'
import { preload } from './apps.ts'
import { Shell } from './Shell.tsx'

shareReact()
applyPreferences()
const first = location.pathname.split('/')[1]
if (first === 'member' || first === 'agent' || first === 'admin') preload(first)

const session = new Session({ endpoint })
void session.restore()

const root = document.getElementById('root')
if (root) createRoot(root).render(<Shell session={session} />)
