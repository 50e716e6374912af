/* The licences of what is built into the screens, in one file beside them, as those licences ask. */
import { existsSync, readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

const NAMES = ['LICENSE', 'LICENSE.txt', 'NOTICE']

function textOf(name: string): string {
  const folder = `node_modules/${name}`
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf-8')) as { version: string }
  const texts = NAMES.map((file) => `${folder}/${file}`).filter(existsSync)
  return [`${name} ${version}`, ...texts.map((file) => readFileSync(file, 'utf-8').trim())].join('\n\n')
}

/** Return a plugin that emits `licences.txt` for these packages. */
export function licences(packages: string[]): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const source = packages.map(textOf).join(`\n\n${'='.repeat(80)}\n\n`) + '\n'
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source })
    },
  }
}
