import { defineEvent } from 'millrace'
import { z } from 'zod'

/** What is published: the n-th reading of a sensor. */
export const Read = defineEvent('sensor.read', {
  data: z.object({ sensor: z.string(), n: z.number(), value: z.number() }),
  key: ({ sensor }) => sensor,
})

const made = { data: z.object({ sensor: z.string(), from: z.array(z.number()), sum: z.number() }) }
const key = ({ sensor }: { sensor: string }): string => sensor

export const Mapped = defineEvent('sensor.mapped', { ...made, key })
export const Buffered = defineEvent('sensor.buffered', { ...made, key })
export const Scored = defineEvent('sensor.scored', { ...made, key })
export const Windowed = defineEvent('sensor.windowed', { ...made, key })
export const Checked = defineEvent('sensor.checked', { ...made, key })
