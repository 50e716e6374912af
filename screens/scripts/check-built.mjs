/* Builds the screens into a temporary folder and compares it, byte by byte, with the committed build. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'

const COMMITTED = '../api/static'

/** Return the paths of all files under a folder, relative to it. */
function filesIn(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)).map((file) => join(entry.name, file)) : [entry.name],
  )
}

/** Return one line for every file that is not the same in both folders. */
function differences(fresh, committed) {
  const [built, kept] = [new Set(filesIn(fresh)), new Set(filesIn(committed))]
  const missing = [...built].filter((file) => !kept.has(file)).map((file) => `missing: ${file}`)
  const extra = [...kept].filter((file) => !built.has(file)).map((file) => `not built from this source: ${file}`)
  const changed = [...built]
    .filter((file) => kept.has(file) && !readFileSync(join(fresh, file)).equals(readFileSync(join(committed, file))))
    .map((file) => `differs: ${file}`)
  return [...missing, ...extra, ...changed]
}

const fresh = mkdtempSync(join(tmpdir(), 'emberwatch-screens-'))
try {
  await build({ logLevel: 'error', build: { outDir: fresh, emptyOutDir: true } })
  const found = differences(fresh, COMMITTED)
  if (found.length > 0) {
    console.error('api/static is not what screens/ builds:')
    found.forEach((line) => console.error(`  ${line}`))
    console.error('run `make screens` and commit api/static')
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
}
