/* Which drawer is open, kept in the address: a link to an alarm or hazard can be sent, and "back" closes it. */
import { ref } from 'vue'

export type Opened =
  | { kind: 'alarm'; id: number }
  | { kind: 'hazard'; id: string }
  | { kind: 'device'; path: string }

/** Return what an address opens; null for the page itself. */
export function fromAddress(address: string): Opened | null {
  const [, noun, ...rest] = address.split('/').map(decodeURIComponent)
  const name = rest.join('/')
  if (noun === 'alarms' && /^\d+$/.test(name)) return { kind: 'alarm', id: Number(name) }
  if (noun === 'hazards' && name !== '') return { kind: 'hazard', id: name }
  if (noun === 'devices' && rest.length === 3) return { kind: 'device', path: name }
  return null
}

export function toAddress(opened: Opened | null): string {
  if (opened === null) return '/'
  if (opened.kind === 'alarm') return `/alarms/${opened.id}`
  return opened.kind === 'hazard' ? `/hazards/${opened.id}` : `/devices/${opened.path}`
}

export const opened = ref<Opened | null>(fromAddress(window.location.pathname))

export function open(what: Opened | null): void {
  opened.value = what
  window.history.pushState(null, '', toAddress(what))
}

window.addEventListener('popstate', () => (opened.value = fromAddress(window.location.pathname)))
