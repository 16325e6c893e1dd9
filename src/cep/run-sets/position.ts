import type { Contiguity, Matcher, Pattern, TakeStage } from '../pattern/pattern.js'

/** A condition of the pattern; its bit says in a mask whether an event satisfies it. */
export interface Test {
  readonly bit: number
  readonly matcher: Matcher
  readonly stage: string
}

/** "Stage s has taken c events": what the last event of a partial match has brought it to. */
export interface Position {
  readonly index: number
  /** Events that the stage has taken. Of an unlimited repetition, counting stops at the minimum. */
  readonly count: number
  readonly stage: TakeStage
  readonly test: Test
  /** From the first event that satisfies it, the repetition takes nothing more. */
  readonly until: Test | null
  /** A match may begin here. */
  readonly begins: boolean
  /** A match may end here. */
  completes: boolean
  /** From here one may get to where more is held. */
  goesOn: boolean
  /** From where one gets here. */
  readonly into: Transition[]
  /** Where one may get from here: the repetition first, then the stages after it. */
  readonly out: Transition[]
  // Zeros: two for each way into it, one for each way out. A copy of a list takes the room that it needs; a list that is
  // pushed to takes that of seventeen.
  noRanges: readonly number[]
  noNext: readonly number[]
}

/** From a position to the next, with what happens to who waits for it: see `Contiguity`. */
export interface Transition {
  index: number
  readonly from: Position
  readonly to: Position
  /** Its place in `from.out`. */
  readonly way: number
  /** Its place in `to.into`. */
  readonly door: number
  readonly contiguity: Contiguity
  readonly repeats: boolean
  /** Nothing ever stops waiting at `from` to get on by this way. */
  readonly patient: boolean
  /** What gets there is held: one may get on from there. */
  held: boolean
}

export interface Positions {
  readonly positions: readonly Position[]
  readonly transitions: readonly Transition[]
  readonly tests: readonly Test[]
  /** An event that satisfies nothing may end what waits. */
  readonly strict: boolean
  /** Nothing ever stops waiting: every event that was taken lives until its window closes. */
  readonly patient: boolean
}

/** The positions of a pattern whose stages all take events, in order of stages, and every way between them. */
export function layOutPositions(pattern: Pattern): Positions {
  const tests: Test[] = []
  const test = (matcher: Matcher, stage: string): Test => {
    const made = { bit: 1 << tests.length, matcher, stage }
    tests.push(made)
    return made
  }
  const positions: Position[] = []
  const stages = pattern.stages.filter((stage) => stage.kind === 'take')
  const byStage: Position[][] = []
  let begins = true
  for (const stage of stages) {
    const tested = test(stage, stage.name)
    const until = stage.until === undefined ? null : test(stage.until, stage.name)
    const { min, max } = stage.times ?? { min: 1, max: 1 }
    const own: Position[] = []
    for (let count = 1; count <= (max ?? min); count++) {
      const first = begins && count === 1
      const made = {
        count,
        stage,
        test: tested,
        until,
        begins: first,
        completes: false,
        goesOn: false,
        into: [],
        out: [],
        noRanges: [],
        noNext: [],
      }
      own.push({ index: positions.length, ...made })
      positions.push(own.at(-1) as Position)
    }
    byStage.push(own)
    begins &&= stage.optional === true
  }
  const transitions = byStage.flatMap((own, at) => own.flatMap((from) => waysFrom(from, own, byStage.slice(at + 1))))
  for (const [index, transition] of transitions.entries()) {
    transition.index = index
    transition.held = transition.to.out.length > 0
    if (transition.held) transition.from.goesOn = true
  }
  for (const position of positions) makeRoom(position)
  const patient = transitions.every((transition) => transition.patient)
  const strict = transitions.some(({ contiguity }) => contiguity === 'strict')
  return { positions, transitions, tests, strict, patient }
}

/** Lists of the length that a search needs at this position, to be copied. */
function makeRoom(position: Position): void {
  position.noRanges = position.into.flatMap(() => [0, 0])
  position.noNext = position.out.map(() => 0)
}

function waysFrom(from: Position, own: readonly Position[], later: readonly (readonly Position[])[]): Transition[] {
  const { stage, count } = from
  const { min, max } = stage.times ?? { min: 1, max: 1 }
  const again = max === null ? own[Math.min(count + 1, min) - 1] : own[count]
  if (again !== undefined) connect(from, again, stage.inner ?? 'relaxed', true)
  if (count < min) return from.out
  for (const [next] of later) {
    if (next === undefined) break
    connect(from, next, next.stage.contiguity ?? 'relaxed', false)
    if (next.stage.optional !== true) return from.out
  }
  from.completes = true
  return from.out
}

function connect(from: Position, to: Position, contiguity: Contiguity, repeats: boolean): void {
  const [way, door] = [from.out.length, to.into.length]
  const patient = contiguity === 'any' && !(repeats && to.until !== null)
  const made = { index: 0, from, to, way, door, contiguity, repeats, patient, held: false }
  from.out.push(made)
  to.into.push(made)
}
