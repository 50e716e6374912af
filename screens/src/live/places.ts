/* Names of sites and devices: alarms carry paths, people know names. Devices are asked for site by site, once. */
import { reactive } from 'vue'
import { devicesAt } from '../api/calls'
import type { DeviceState } from '../api/types'

const ASK_AGAIN_MS = 60_000
const devices = reactive(new Map<string, DeviceState>())
const asked = new Map<string, number>()

/** Ask for the names at the site of this device unless they are known or were asked for just now. */
export async function learn(path: string): Promise<void> {
  const [area = '', site = ''] = path.split('/')
  const place = `${area}/${site}`
  if (devices.has(path) || Date.now() - (asked.get(place) ?? 0) < ASK_AGAIN_MS) return
  asked.set(place, Date.now())
  try {
    const { items } = await devicesAt(area, site)
    items.forEach((item) => devices.set(item.path, item))
  } catch {
    asked.delete(place) // the path itself is shown until the next alarm asks again
  }
}

/** Return the register's name of a device; its code where it has none. */
export function deviceName(path: string): string {
  return devices.get(path)?.name ?? codeOf(path)
}

/** Tell whether the registers know the device; undefined until they were asked. */
export function isRegistered(path: string): boolean | undefined {
  return devices.get(path)?.registered
}

/** Return the last part of a path. */
export function codeOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function forgetPlaces(): void {
  devices.clear()
  asked.clear()
}
