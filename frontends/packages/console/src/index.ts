/** What the agent's and the admin's desk have in common. */
export { type Destination, Frame } from './frame.tsx'
export { PageButtons, type PageEnd, usePages } from './pages.tsx'
export { Moment, PageHead, RefusalNote, useSay } from './parts.tsx'
export { ReasonDialog } from './reason.tsx'
export { ConsoleTheme } from './theme.tsx'
