// How often each deliberately broken protocol is caught: in runs of chains of operators, and at every step of the
// kernel’s own protocol in a model.
import * as fc from 'fast-check'
import { firstHarm, someCourse } from '../test/kernel/crash-property.ts'
import { mutations as kernelMutations, sizeFor } from '../test/kernel/crash-subjects.ts'
import type { Mutation as KernelMutation } from '../test/kernel/model-world.ts'
import { checkRun, drawnRuns, MODES } from '../test/pipeline/slots-property.ts'
import type { Mutation as SlotMutation } from '../test/pipeline/slots/unit.ts'

export interface Caught {
  /** Runs in which something differed, or the kernel refused to go on. */
  readonly caught: number
  readonly of: number
}

const OF_SLOTS: readonly (readonly [name: string, mutation: SlotMutation])[] = [
  ['replay from R+1', 'from R+1'],
  ['replay from R-1', 'from R-1'],
  ['no watermark', 'no watermark'],
  ['no journal', 'no journal'],
]

/** The kernel’s breaks by the names that others have in the design; the rest are named as they are. */
const NAMES: Readonly<Partial<Record<KernelMutation, string>>> = {
  'no fence': 'no fence',
  'position before outputs': 'ack before commit (position before outputs)',
  'replay from one later': 'replay from R+1, kernel',
  'replay from one earlier': 'replay from R-1, kernel',
  'no basis': 'no watermark, kernel',
  'no journal': 'no journal, kernel',
}
/** Each run of the kernel’s is one for every step of it. */
const KERNEL_RUNS = 16

/** @param runs of chains for each break, in mode `idle` */
export function caughtMutations(
  runs: number,
  seed: number,
  onProgress: (text: string) => void,
): Readonly<Record<string, Caught>> {
  const found: Record<string, Caught> = {}
  const note = (name: string, caught: Caught): void => {
    found[name] = caught
    onProgress(`broken on purpose, ${name}: caught in ${caught.caught} of ${caught.of} runs`)
  }
  for (const [name, mutation] of OF_SLOTS) note(name, ofSlots(mutation, runs, seed))
  for (const [mutation, processors, accident] of kernelMutations) {
    const { length, bursts } = sizeFor(mutation)
    const courses = fc.sample(someCourse(length, bursts), { numRuns: KERNEL_RUNS, seed })
    let caught = 0
    for (const processor of processors)
      for (const course of courses) if (firstHarm(processor, course, accident, mutation) !== undefined) caught += 1
    note(NAMES[mutation] ?? mutation, { caught, of: processors.length * courses.length })
  }
  return found
}

function ofSlots(mutation: SlotMutation, runs: number, seed: number): Caught {
  const mode = MODES.find(({ name }) => name === 'idle') ?? MODES[0]
  if (mode === undefined) throw new Error('there are no modes')
  let caught = 0
  for (const run of fc.sample(drawnRuns(50), { numRuns: runs, seed })) {
    const seen = { runs: 0, crashes: 0, replayed: 0, outputs: 0, speaking: 0 }
    try {
      checkRun(run, mode, seen, mutation)
    } catch {
      caught += 1 // which is what it is for
    }
  }
  return { caught, of: runs }
}
