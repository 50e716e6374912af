/* The service's clock, ticking every second: no duration on the screen is the difference of two clocks. */
import { computed, ref, watch } from 'vue'
import { status } from './district'

const TICK_MS = 1_000
const ours = ref(Date.now())
const ahead = ref(0)

window.setInterval(() => (ours.value = Date.now()), TICK_MS)
watch(status, (now) => {
  if (now !== null) ahead.value = now.now_ms - Date.now()
})

/** Epoch ms by the service's clock. */
export const now = computed(() => ours.value + ahead.value)
