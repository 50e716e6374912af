/* Where the names on the map stand: beside their site, where they cover neither another name nor another site.

   Who comes first chooses first. A name that must be read stands even where it covers something; any other is left out. */

export type Side = 'right' | 'left' | 'top' | 'bottom'

export interface Named {
  readonly text: string
  /** The middle of the site's symbol, in pixels. */
  readonly x: number
  readonly y: number
  /** Half the symbol's diameter. */
  readonly radius: number
  readonly fontSize: number
  readonly must: boolean
}

interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

const SIDES: readonly Side[] = ['right', 'left', 'top', 'bottom']
/** Between symbol and name, as the chart draws it. */
const GAP = 5
const LATIN_WIDTH = 0.62
const LINE_HEIGHT = 1.25

/** Return the side on which each name stands; null where it is left out. */
export function placeNames(all: readonly Named[], width: number, height: number): (Side | null)[] {
  const symbols = all.map(symbolOf)
  const names: Box[] = []
  return all.map((named, mine) => {
    const taken = [...names, ...symbols.filter((_, other) => other !== mine)]
    const free = (side: Side) => within(boxOf(named, side), width, height) && !taken.some((box) => overlap(box, boxOf(named, side)) > 0)
    const side = SIDES.find(free) ?? (named.must ? least(named, taken, width, height) : null)
    if (side !== null) names.push(boxOf(named, side))
    return side
  })
}

/** Return the side on which a name covers least; one that leaves the map is only for want of any other. */
function least(named: Named, taken: readonly Box[], width: number, height: number): Side {
  const inside = SIDES.filter((side) => within(boxOf(named, side), width, height))
  const covered = (side: Side) => taken.reduce((sum, box) => sum + overlap(box, boxOf(named, side)), 0)
  return [...(inside.length > 0 ? inside : SIDES)].sort((a, b) => covered(a) - covered(b))[0] ?? 'right'
}

function symbolOf({ x, y, radius }: Named): Box {
  return { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }
}

function boxOf(named: Named, side: Side): Box {
  const { x, y, radius, fontSize } = named
  const [wide, high] = [widthOf(named.text) * fontSize, LINE_HEIGHT * fontSize]
  const left = { right: x + radius + GAP, left: x - radius - GAP - wide, top: x - wide / 2, bottom: x - wide / 2 }[side]
  const top = { right: y - high / 2, left: y - high / 2, top: y - radius - GAP - high, bottom: y + radius + GAP }[side]
  return { left, top, right: left + wide, bottom: top + high }
}

/** Return about how wide a text is, in font sizes: Chinese characters are square. */
function widthOf(text: string): number {
  return [...text].reduce((sum, char) => sum + (char < '\u2e80' ? LATIN_WIDTH : 1), 0)
}

function within(box: Box, width: number, height: number): boolean {
  return box.left >= 0 && box.top >= 0 && box.right <= width && box.bottom <= height
}

function overlap(a: Box, b: Box): number {
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return Math.max(0, wide) * Math.max(0, high)
}
