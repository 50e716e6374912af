/* Tests of what needs no page: in a plain JavaScript environment with the few browser names the modules touch. */
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['tests/**/*.test.ts'], setupFiles: ['tests/browser.ts'] } })
