/* Colours of charts, matching the style sheet: a canvas cannot read its variables. */
export const PALETTE = {
  text: '#e6edf7',
  muted: '#93a4bd',
  line: '#24344d',
  panel: '#16233a',
  curve: '#4cc2ff',
  quiet: '#2fa372',
  silent: '#7a8aa3',
  event: '#e6edf7',
}
export const FONT = 'system-ui, "Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif'
