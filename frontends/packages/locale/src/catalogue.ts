/**
 * Texts in every language, side by side. A catalogue is written per application; TypeScript
 * refuses one in which a language misses a text or takes other parameters, so there is nothing
 * to extract, compile or check at run time.
 *
 *   const catalogue = defineTexts({ en: { filled: (n: number) => `${n} filled` }, 'zh-Hans': { ... } })
 *   const text = useTexts(catalogue)
 *   text.filled(3)
 */
import { type Locale, usePreferences } from '@bourse/design'

type Text = string | ((...parameters: never[]) => string)

/** The same keys, in any wording. */
type Wording<T> = {
  [K in keyof T]: T[K] extends (...parameters: infer P) => string ? (...parameters: P) => string : string
}

export type Catalogue<T> = Record<Locale, Wording<T>>

export function defineTexts<T extends Record<string, Text>>(texts: {
  en: T
  'zh-Hans': NoInfer<Wording<T>>
}): Catalogue<T> {
  return texts as unknown as Catalogue<T> // T is its own wording: the types only loosen string literals
}

export function useTexts<T>(catalogue: Catalogue<T>): Wording<T> {
  return catalogue[usePreferences().locale]
}
