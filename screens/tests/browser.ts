/* The few browser names that modules touch when they are loaded. */
import { vi } from 'vitest'

const kept = new Map<string, string>()
vi.stubGlobal('localStorage', {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => kept.set(name, value),
})
vi.stubGlobal('document', { documentElement: { lang: '' }, title: '', createElement: () => ({}) })
vi.stubGlobal('window', {
  setTimeout: (act: () => void, delay: number) => setTimeout(act, delay),
  clearTimeout: (timer: ReturnType<typeof setTimeout>) => clearTimeout(timer),
  setInterval: () => 0,
  clearInterval: () => undefined,
  addEventListener: () => undefined,
  location: { pathname: '/' },
  history: { pushState: () => undefined },
})
