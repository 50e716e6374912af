/* Times as people read them: Beijing time wherever the screen hangs, durations in the largest unit that fits. */
import { fill, type Words } from '../words'

const ZONE = 'Asia/Shanghai'
// The Swedish locale writes ISO dates, which read the same in both languages.
const DATE_TIME = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'medium' })
const TIME = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, timeStyle: 'medium' })
const SHORT = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, timeStyle: 'short' })

const MINUTE_S = 60
const HOUR_S = 3_600
const DAY_S = 86_400

export const dateTime = (ms: number) => DATE_TIME.format(ms)
export const timeOfDay = (ms: number) => TIME.format(ms)
export const hourMinute = (ms: number) => SHORT.format(ms)

/** Return a duration in words; less than a second is "just now". */
export function duration(ms: number, words: Words['time']): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 1) return words.now
  if (seconds < MINUTE_S) return fill(words.seconds, { count: seconds })
  if (seconds < HOUR_S) return fill(words.minutes, { count: Math.floor(seconds / MINUTE_S) })
  if (seconds < DAY_S) return fill(words.hours, { count: Math.floor(seconds / HOUR_S) })
  return fill(words.days, { count: Math.floor(seconds / DAY_S) })
}

/** Return how long ago something was. */
export function ago(ms: number, words: Words): string {
  return ms < 1000 ? words.time.now : fill(words.alarm.ago, { time: duration(ms, words.time) })
}

/** Return the epoch ms of the end of a day typed in as `YYYY-MM-DD`, by Beijing time. */
export function endOfDay(day: string): number {
  return Date.parse(`${day}T23:59:59+08:00`)
}
