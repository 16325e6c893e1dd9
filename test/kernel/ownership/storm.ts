// A storm over units that are shared, by seed: members that come, leave, die, freeze and lose their links and the server.
import * as assert from 'uvu/assert'
import type { OwnedUnit } from '../../../src/kernel/ownership/ownership-options.ts'
import { Simulation } from './simulation.ts'

export function unitsOf(processors: number, partitions: number): OwnedUnit[] {
  return Array.from({ length: processors * partitions }, (_, at) => {
    const processor = `p${Math.floor(at / partitions)}`
    return { id: `${processor}-${at % partitions}`, processor }
  })
}

/** What is wrong when nothing has been wrong for a while: units run by nobody or twice, or by too few. */
export function wrong(simulation: Simulation): string[] {
  const names = simulation.living.map(({ name }) => name)
  const found = [...simulation.running()]
    .filter(([, members]) => members.length !== 1 || !names.includes(members[0] ?? ''))
    .map(([unit, members]) => `${unit} is run by ${members.join(' and ') || 'nobody'}`)
  const shares = simulation.shares()
  if (Math.max(...shares) - Math.min(...shares) > 1) found.push(`shares ${shares.join(' ')}`)
  return found
}

async function storm(seed: number): Promise<Simulation> {
  const simulation = new Simulation(seed, unitsOf(3, 6), 40, 0.01)
  const { chance, clock, stream } = simulation
  const some = <T>(items: readonly T[]): T | undefined => items[Math.floor(chance() * items.length)]
  simulation.join()
  simulation.join()
  for (let step = 0; step < 14; step++) {
    await clock.pass(3_000 * chance() ** 2)
    const member = some(simulation.living)
    const what = Math.floor(chance() * 8)
    const forMs = 8_000 * chance() ** 2
    if (what <= 1 && simulation.living.length < 7) simulation.join()
    else if (what === 2 && member !== undefined && simulation.living.length > 1) void simulation.leave(member)
    else if (what === 3 && member !== undefined && simulation.living.length > 1) simulation.kill(member)
    else if (what === 4 && member !== undefined) {
      simulation.excuse(forMs + 5_000, member)
      member.link.freeze()
      clock.after(forMs, () => member.link.thaw())
    } else if (what === 5 && member !== undefined) {
      simulation.excuse(forMs + 5_000, member)
      member.link.cut()
      clock.after(forMs, () => member.link.restore())
    } else if (what === 6 && !stream.away) {
      simulation.excuse(forMs + 8_000)
      stream.leave()
      clock.after(forMs, () => stream.comeBack())
    } else if (what === 7 && chance() < 0.4) {
      simulation.excuse(10_000)
      stream.lose()
    }
  }
  return simulation
}

/** O1 O2 O3 O4: after it every unit runs once, in even shares, and stays where it is. */
export async function survivesStorm(seed: number): Promise<void> {
  const simulation = await storm(seed)
  await simulation.clock.pass(25_000)
  assert.equal(wrong(simulation), [], `seed ${seed}`)
  assert.equal(simulation.overlaps(), [], `seed ${seed}`)
  const { length } = simulation.intervals
  await simulation.clock.pass(10_000)
  assert.is(simulation.intervals.length, length, `seed ${seed}: units still move`)
  assert.equal(simulation.failures, [], `seed ${seed}: being fenced is no error`)
}
