/** The machine’s chance, from 0 to below 1: for what may differ each time, such as how long to wait before another attempt. */
export const systemChance = (): number => Math.random()
