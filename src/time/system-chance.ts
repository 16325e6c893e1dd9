import { randomUUID } from 'node:crypto'

/** The machine’s chance, from 0 to below 1: for what may differ each time, such as how long to wait before another attempt. */
export const systemChance = (): number => Math.random()

/** An id that nobody else makes: for what comes from outside, never for what follows from the log. */
export const systemId = (): string => randomUUID()
