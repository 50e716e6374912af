/* Something a person asks the service to do: whether it is under way, and in words why it failed. */
import { ref, type Ref } from 'vue'
import { problemText } from '../format/problem'

export interface Action {
  readonly busy: Ref<boolean>
  readonly problem: Ref<string | null>
  /** Do it; a failure becomes `problem`, in words of `told` where it has any. */
  readonly run: (work: () => Promise<void>) => Promise<void>
}

export function useAction(told: (error: unknown) => string = problemText): Action {
  const busy = ref(false)
  const problem = ref<string | null>(null)

  async function run(work: () => Promise<void>): Promise<void> {
    busy.value = true
    problem.value = null
    try {
      await work()
    } catch (error) {
      problem.value = told(error)
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, run }
}
