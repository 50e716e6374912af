/* How the screens are built: plain files without source maps or inlined assets, the same bytes every time. */
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { licences } from './scripts/licences'

const api = process.env['EMBERWATCH_URL'] ?? 'http://127.0.0.1:8800'

export default defineConfig({
  plugins: [vue(), licences(['vue', '@vue/shared', 'echarts', 'zrender', 'tslib'])],
  build: {
    outDir: '../api/static',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows our own files only
    modulePreload: { polyfill: false },
    target: 'es2021',
    chunkSizeWarningLimit: 900,
    rollupOptions: { output: { manualChunks: { charts: ['echarts/core', 'echarts/charts', 'echarts/components'] } } },
  },
  server: { proxy: { '/api': { target: api, headers: { origin: api } } } },
})
