import { defineEvent } from 'millrace'
import { z } from 'zod'

const machine = z.string().min(1).max(64)
const percent = z.number().min(0).max(100)

export const MetricRecorded = defineEvent('metric.recorded', {
  description: 'A machine measured something.',
  data: z.object({ machine, metric: z.string().min(1), value: z.number().describe('cpu: in percent, 0 to 100.') }),
  key: (data) => data.machine,
})

export const MachineOverloaded = defineEvent('machine.overloaded', {
  description: 'One reading was above the limit.',
  data: z.object({ machine, cpu: percent, limit: percent }),
  key: (data) => data.machine,
})

export const MachineAlarmed = defineEvent('machine.alarmed', {
  description: 'A machine went from calm to overloaded and stayed there.',
  data: z.object({ machine, cpu: percent.describe('Mean of the readings that raised the alarm.') }),
  key: (data) => data.machine,
})
