/* The language of the screens: one switch, kept in the browser, and the catalogue that goes with it. */
import { computed, ref, watchEffect } from 'vue'
import { en } from './en'
import { zh } from './zh'

export type Words = typeof zh
export type Language = 'zh' | 'en'

const CATALOGUES: Record<Language, Words> = { zh, en }
const KEPT = 'emberwatch.language'

const language = ref<Language>(localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh')

/** The catalogue of the chosen language. */
export const words = computed(() => CATALOGUES[language.value])

export function switchLanguage(): void {
  language.value = language.value === 'zh' ? 'en' : 'zh'
  localStorage.setItem(KEPT, language.value)
}

watchEffect(() => {
  document.documentElement.lang = words.value.language.tag
  document.title = `${words.value.title} · emberwatch`
})

/** Return a sentence with its `{names}` replaced. */
export function fill(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** Return the word for a code that a newer service may have added; the code itself where there is none. */
export function wordFor(table: Partial<Record<string, string>>, code: string): string {
  return table[code] ?? code
}
