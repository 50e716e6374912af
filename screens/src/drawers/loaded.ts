/* One thing that a drawer shows: read when it opens, read again when told or now and then, the last answer wins. */
import { onBeforeUnmount, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { problemText } from '../format/problem'

export interface Loaded<T> {
  readonly value: ShallowRef<T | null>
  /** Why the last reading failed, in words. */
  readonly problem: Ref<string | null>
  readonly load: () => Promise<void>
}

export function useLoaded<T>(read: () => Promise<T>, everyMs: number): Loaded<T> {
  const value = shallowRef<T | null>(null)
  const problem = ref<string | null>(null)
  let asked = 0

  async function load(): Promise<void> {
    const mine = ++asked
    try {
      const answer = await read()
      if (mine !== asked) return
      value.value = answer
      problem.value = null
    } catch (error) {
      if (mine === asked) problem.value = problemText(error)
    }
  }

  void load()
  const timer = window.setInterval(() => void load(), everyMs)
  onBeforeUnmount(() => window.clearInterval(timer))
  return { value, problem, load }
}
