import { freePort } from '../../src/broker/free-port.ts'
import { systemChance } from '../../src/time/system-chance.ts'

/**
 * Ports of the loopback interface that nobody listens on now, for programs that have to know them beforehand; the
 * system gives them to nobody else while such a program is down.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort('127.0.0.1', systemChance))
  return [...ports]
}
