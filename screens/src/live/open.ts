/* Which drawer is open, kept in the address: a link to an alarm or hazard can be sent, and "back" closes it. */
import { ref } from 'vue'

export type Opened =
  | { kind: 'alarm'; id: number }
  | { kind: 'hazard'; id: string }
  | { kind: 'device'; path: string }
  | { kind: 'new-hazard' }
  | { kind: 'password' }
  | { kind: 'nothing' }

const FORMS: Readonly<Record<string, Opened>> = { '/hazards/new': { kind: 'new-hazard' }, '/password': { kind: 'password' } }
const NOTHING: Opened = { kind: 'nothing' }

/** Return what an address opens; null for the page itself. The service knows the first parts of these (`api/screens.py`). */
export function fromAddress(address: string): Opened | null {
  if (address === '/' || address === '/index.html') return null
  return FORMS[address] ?? thing(address)
}

function thing(address: string): Opened {
  const [, noun, ...rest] = address.split('/').map(decoded)
  const name = rest.join('/')
  if (noun === 'alarms' && /^\d+$/.test(name)) return { kind: 'alarm', id: Number(name) }
  if (noun === 'hazards' && name !== '') return { kind: 'hazard', id: name }
  if (noun === 'devices' && rest.length === 3) return { kind: 'device', path: name }
  return NOTHING
}

/** Not everything in an address is well encoded: such a part is taken as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function toAddress(opened: Opened | null): string {
  switch (opened?.kind) {
    case 'alarm':
      return `/alarms/${opened.id}`
    case 'hazard':
      return `/hazards/${opened.id}`
    case 'device':
      return `/devices/${opened.path}`
    case 'new-hazard':
      return '/hazards/new'
    case 'password':
      return '/password'
    default:
      return '/'
  }
}

export const opened = ref<Opened | null>(fromAddress(window.location.pathname))

export function open(what: Opened | null): void {
  opened.value = what
  window.history.pushState(null, '', toAddress(what))
}

window.addEventListener('popstate', () => (opened.value = fromAddress(window.location.pathname)))
