import { defineEvent } from 'millrace'
import { z } from 'zod'

/** An errand was run. */
export const Ran = defineEvent('results.ran', {
  data: z.object({ handler: z.string(), id: z.string(), key: z.string(), n: z.int(), pid: z.int() }),
  key: ({ key }) => key,
})
