/* The colours of severities, the same as on the report page: 1 is the gravest. */
import type { Severity } from '../api/types'

export const SEVERITIES: readonly Severity[] = [1, 2, 3, 4]
export const SEVERITY_COLOUR: Record<Severity, string> = { 1: '#d4380d', 2: '#fa8c16', 3: '#d4b106', 4: '#1677ff' }
