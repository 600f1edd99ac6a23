import { useLinks, useLocalPath } from '@bourse/microapp'
import { Badge } from 'antd'
import type { ReactNode } from 'react'
import styles from './console.module.css'

export interface Destination {
  path: string
  label: string
  /** How much waits there. */
  waiting?: number
}

/** Places at the side of a desk, on top of a phone; the place itself beside it. */
export function Frame({ places, children }: { places: readonly Destination[]; children: ReactNode }) {
  const path = useLocalPath()
  const { link } = useLinks()
  const here = (place: string) =>
    place === '/' ? path === '/' : path === place || path.startsWith(`${place}/`)
  return (
    <div className={styles.frame}>
      <nav className={styles.nav}>
        {places.map((place) => (
          <a
            key={place.path}
            className={styles.place}
            data-testid={`nav-${place.path.slice(1) || 'home'}`}
            aria-current={here(place.path) ? 'page' : undefined}
            {...link(place.path)}
          >
            {place.label}
            {place.waiting ? <Badge count={place.waiting} size="small" /> : null}
          </a>
        ))}
      </nav>
      <div className={styles.body}>{children}</div>
    </div>
  )
}
