/* One request to the service: JSON both ways, and every failure a ProblemError. */
import type { Problem } from './types'

const PREFIX = '/api/v1'
const NETWORK = 'network'

/** What the service (or the way to it) answered instead. `kind` is the stable end of the problem's type. */
export class ProblemError extends Error {
  constructor(
    readonly kind: string,
    readonly status: number,
    detail: string,
  ) {
    super(detail)
  }
}

async function problemOf(answer: Response): Promise<ProblemError> {
  const problem = (await answer.json().catch(() => ({}))) as Partial<Problem>
  const kind = problem.type?.split(':').at(-1) ?? 'internal'
  return new ProblemError(kind, answer.status, problem.detail ?? answer.statusText)
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(PREFIX + path, init)
  } catch (error) {
    throw new ProblemError(NETWORK, 0, String(error))
  }
}

let onSessionEnd: () => void = () => undefined

/** Say what to do when the service no longer knows who asks. */
export function whenSessionEnds(act: () => void): void {
  onSessionEnd = act
}

/** Where a 401 says that a password that was just typed in is wrong. */
const PASSWORD_ASKED = ['/login', '/me/password']

async function answered<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await send(path, init)
  if (answer.status === 401 && !PASSWORD_ASKED.includes(path)) onSessionEnd()
  if (!answer.ok) throw await problemOf(answer)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

export function get<T>(path: string): Promise<T> {
  return answered<T>(path)
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  const headers = { 'Content-Type': 'application/json' }
  return answered<T>(path, { method: 'POST', headers, body: JSON.stringify(body) })
}
