/* Numbers as people read them. */

const GROUPED = new Intl.NumberFormat('en-US')

/** Return a count with its thousands set apart. */
export const count = (value: number) => GROUPED.format(value)

/** Return a measured value with at most four significant digits, without trailing zeros. */
export const measured = (value: number) => String(Number(value.toPrecision(4)))

/** Return a share in percent; a whole that is nothing has none. Never rounded up to a 100 that is not reached. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  return `${part === whole ? 100 : (Math.floor((part / whole) * 1000) / 10).toFixed(1)}%`
}
