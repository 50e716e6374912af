/* Who is logged in, and what follows from logging in, out, or being logged out. */
import { ref } from 'vue'
import * as calls from './api/calls'
import { whenSessionEnds } from './api/request'
import { stopWatching, user, watch } from './live/district'

/** Whether it is known yet who (or that nobody) is logged in. */
export const asked = ref(false)
/** The session ended by itself: the login page says so. */
export const ended = ref(false)

whenSessionEnds(() => {
  ended.value = user.value !== null
  leave()
})

function leave(): void {
  user.value = null
  stopWatching()
}

function enter(me: typeof user.value): void {
  ended.value = false
  user.value = me
  void watch()
}

/** Go on with the session the browser may have. */
export async function resume(): Promise<void> {
  try {
    enter(await calls.whoAmI())
  } catch {
    leave()
  } finally {
    asked.value = true
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  enter(await calls.login(name, password))
}

export async function logOut(): Promise<void> {
  await calls.logout().catch(() => undefined) // what the service no longer knows is logged out, too
  ended.value = false
  leave()
}
