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
    const covers = (box: Box) => names.some((other) => meet(box, other)) || symbols.some((other, i) => i !== mine && meet(box, other))
    const inside = SIDES.map((side) => ({ side, box: boxOf(named, side) })).filter(({ box }) => within(box, width, height))
    const free = inside.find(({ box }) => !covers(box))
    const chosen = free ?? (named.must ? (inside[0] ?? { side: 'right', box: boxOf(named, 'right') }) : undefined)
    if (chosen !== undefined) names.push(chosen.box)
    return chosen?.side ?? null
  })
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

function meet(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
