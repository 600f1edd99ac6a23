/**
 * What a person chose for this browser: language, theme, colours of rise and fall, hidden
 * balances. Kept in localStorage and announced on window, because the shell and the applications
 * that it mounts each carry their own copy of this module and must all change at once.
 */
import { useSyncExternalStore } from 'react'

export type Locale = 'en' | 'zh-Hans'
export type Theme = 'system' | 'light' | 'dark'

export interface Preferences {
  locale: Locale
  theme: Theme
  /** East Asian custom: rises are red and falls green. */
  redUp: boolean
  hideBalances: boolean
}

const key = 'bourse.preferences'
const event = 'bourse:preferences'

let current: Preferences | undefined

function defaults(): Preferences {
  const chinese = navigator.languages?.some((language) => /^zh\b/i.test(language)) ?? false
  return { locale: chinese ? 'zh-Hans' : 'en', theme: 'system', redUp: false, hideBalances: false }
}

function read(): Preferences {
  const base = defaults()
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '{}')
    if (typeof stored !== 'object' || stored === null) return base
    const { locale, theme, redUp, hideBalances } = stored as Partial<Preferences>
    return {
      locale: locale === 'en' || locale === 'zh-Hans' ? locale : base.locale,
      theme: theme === 'light' || theme === 'dark' ? theme : base.theme,
      redUp: redUp === true,
      hideBalances: hideBalances === true,
    }
  } catch {
    return base // storage is blocked or holds something else: the defaults do
  }
}

export function preferences(): Preferences {
  current ??= read()
  return current
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...preferences(), ...change }
  try {
    localStorage.setItem(key, JSON.stringify(current))
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
  window.dispatchEvent(new CustomEvent<Preferences>(event, { detail: current }))
}

export function onPreferences(listener: () => void): () => void {
  const announced = (e: Event) => {
    current = (e as CustomEvent<Preferences>).detail
    listener()
  }
  const elsewhere = (e: StorageEvent) => {
    if (e.key !== key) return
    current = read()
    listener()
  }
  window.addEventListener(event, announced)
  window.addEventListener('storage', elsewhere)
  return () => {
    window.removeEventListener(event, announced)
    window.removeEventListener('storage', elsewhere)
  }
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferences, preferences)
}

const systemDark = () => window.matchMedia('(prefers-color-scheme: dark)')

export function isDark(): boolean {
  const { theme } = preferences()
  return theme === 'system' ? systemDark().matches : theme === 'dark'
}

/** Whether dark colours show now, following the system where the person chose that. */
export function useDark(): boolean {
  return useSyncExternalStore((listener) => {
    const media = systemDark()
    media.addEventListener('change', listener)
    const stop = onPreferences(listener)
    return () => {
      media.removeEventListener('change', listener)
      stop()
    }
  }, isDark)
}

/** Writes the choices onto <html>, where the tokens read them. Called once, by whoever owns the page. */
export function applyPreferences(): () => void {
  const apply = () => {
    const root = document.documentElement
    const { locale, redUp } = preferences()
    root.lang = locale
    root.dataset.theme = isDark() ? 'dark' : 'light'
    root.dataset.up = redUp ? 'red' : 'green'
  }
  apply()
  const media = systemDark()
  media.addEventListener('change', apply)
  const stop = onPreferences(apply)
  return () => {
    media.removeEventListener('change', apply)
    stop()
  }
}
