/** Moments for people, in the browser's time zone and the chosen language. */
import type { Locale } from '@bourse/design'

const cache = new Map<string, Intl.DateTimeFormat>()

function formatter(locale: Locale, style: 'time' | 'moment' | 'day'): Intl.DateTimeFormat {
  const key = `${locale} ${style}`
  let format = cache.get(key)
  if (!format) {
    const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
    const day = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    const options = style === 'time' ? clock : style === 'day' ? day : { ...day, ...clock }
    format = new Intl.DateTimeFormat(locale === 'zh-Hans' ? 'zh-CN' : 'en-GB', options)
    cache.set(key, format)
  }
  return format
}

/** 14:03:27 */
export function timeOf(moment: string, locale: Locale): string {
  return formatter(locale, 'time').format(new Date(moment))
}

/** Day and time. */
export function momentOf(moment: string, locale: Locale): string {
  return formatter(locale, 'moment').format(new Date(moment))
}

export function dayOf(moment: string, locale: Locale): string {
  return formatter(locale, 'day').format(new Date(moment))
}
