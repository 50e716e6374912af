/* Charts: what the picture claims is what was measured. */
import { describe, expect, it } from 'vitest'
import { scaleOf, withGaps } from '../src/charts/curve'
import { colourOf, isPlaced, landOf, sizeOf } from '../src/charts/map'
import { placeNames, type Named } from '../src/charts/names'
import { SEVERITY_COLOUR } from '../src/format/severity'
import { site } from './things'

describe('a curve', () => {
  it('breaks where the device was silent', () => {
    const times = [0, 1000, 2000, 90_000, 91_000]
    expect(withGaps(times, [1, 2, 3, 4, 5])).toEqual([
      [0, 1],
      [1000, 2],
      [2000, 3],
      [2001, null],
      [90_000, 4],
      [91_000, 5],
    ])
  })

  it('does not break at the usual pace of a slow device', () => {
    const times = [0, 300_000, 600_000, 900_000]
    expect(withGaps(times, [1, 2, 3, 4])).toHaveLength(4)
  })

  it('shows every set point, and zero', () => {
    const scale = scaleOf([1, 3], [{ label: '', value: 50, severity: 1 }])
    expect(scale?.min).toBe(0)
    expect(scale?.max).toBeGreaterThan(50)
  })

  it('shows every reading, also below zero and above the set points', () => {
    const scale = scaleOf([-2, 88], [{ label: '', value: 50, severity: 1 }])
    expect(scale?.min).toBeLessThan(-2)
    expect(scale?.max).toBeGreaterThan(88)
  })

  it('is scaled by its readings alone where there is no set point', () => {
    expect(scaleOf([20, 21], [])).toBeNull()
  })
})

describe('the map', () => {
  const sites = [site(), site({ site: 't', lat: 33.72, lon: 113.36 })].filter(isPlaced)

  it('is true to scale and holds every site', () => {
    const { lon, lat } = landOf(sites, 800, 400)
    const kilometres = (lon[1] - lon[0]) * Math.cos((33.73 * Math.PI) / 180)
    expect(kilometres / (lat[1] - lat[0])).toBeCloseTo(2, 3)
    for (const one of sites) {
      expect(one.lon > lon[0] && one.lon < lon[1]).toBe(true)
      expect(one.lat > lat[0] && one.lat < lat[1]).toBe(true)
    }
  })

  it('does not zoom into nothing for a single site', () => {
    const { lon } = landOf(sites.slice(0, 1), 500, 500)
    expect(lon[1] - lon[0]).toBeGreaterThanOrEqual(0.01)
  })

  it('leaves room for the labels of its grid', () => {
    for (const width of [290, 800, 3000]) {
      const { lon, step } = landOf(sites, width, width / 2)
      expect((step / (lon[1] - lon[0])) * width).toBeGreaterThanOrEqual(80)
    }
  })

  it('leaves out sites without coordinates', () => {
    expect(isPlaced(site({ lat: null }))).toBe(false)
  })

  it('colours by the worst alarm; a site whose devices are all silent is not green', () => {
    expect(colourOf(site({ worst: 1, open_alarms: 3 }))).toBe(SEVERITY_COLOUR[1])
    expect(colourOf(site({ online: 0 }))).not.toBe(colourOf(site()))
  })

  it('grows with the number of alarms, within bounds', () => {
    expect(sizeOf(0)).toBeLessThan(sizeOf(1))
    expect(sizeOf(1)).toBeLessThan(sizeOf(4))
    expect(sizeOf(10_000)).toBeLessThanOrEqual(44)
  })
})

describe('a name on the map', () => {
  const named = (x: number, y: number, must = false): Named => ({ text: '一号食堂', x, y, radius: 8, fontSize: 14, must })
  const placed = (...all: Named[]) => placeNames(all, 400, 200)

  it('stands to the right, and to the left where the map ends', () => {
    expect(placed(named(200, 100), named(390, 100))).toEqual(['right', 'left'])
  })

  it('covers no other name and no other site', () => {
    expect(placed(named(200, 100), named(200, 108))).toEqual(['right', 'left'])
    expect(placed(named(200, 100), named(225, 100))[0]).toBe('left')
  })

  it('is left out where there is no room', () => {
    const crowd = Array.from({ length: 12 }, (_, i) => named(200 + i, 100))
    expect(placed(...crowd)).toContain(null)
  })

  it('of an alarming site stands in any crowd', () => {
    const crowd = Array.from({ length: 12 }, (_, i) => named(200 + i, 100, true))
    expect(placed(...crowd)).not.toContain(null)
  })
})
