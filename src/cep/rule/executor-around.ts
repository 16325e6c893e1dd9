import type { StoredEvent } from '../../event/event.js'
import type { Executable, Executor, ExecutorStats } from '../engine/executor.js'

/** What another executable is made of, with something around each of its executors. */
export function executableAround(
  inner: Executable,
  name: unknown,
  around: (inner: Executable) => Pick<Executable, 'start'> & Partial<Executable>,
): Executable {
  const { lateness, grace, bounds, reach, orderBy, begins, concerns, judges } = inner
  const change = inner.withConditions?.bind(inner)
  return {
    signature: JSON.stringify([inner.signature, name]),
    lateness,
    grace,
    bounds,
    ...(reach === undefined ? {} : { reach }),
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(begins === undefined ? {} : { begins }),
    ...(concerns === undefined ? {} : { concerns }),
    ...(judges === undefined ? {} : { judges }),
    ...(change === undefined ? {} : { withConditions: (matcher) => executableAround(change(matcher), name, around) }),
    ...around(inner),
  }
}

/** Passes everything on; what is around it overrides what is different. */
export class ExecutorAround implements Executor {
  readonly inner: Executor
  readonly takeBehind?: NonNullable<Executor['takeBehind']>
  readonly partials?: NonNullable<Executor['partials']>
  readonly has?: NonNullable<Executor['has']>
  readonly liveKeys?: NonNullable<Executor['liveKeys']>

  constructor(inner: Executor) {
    this.inner = inner
    // what the inner one cannot tell, this one cannot either
    if (inner.takeBehind !== undefined) this.takeBehind = (event, key) => inner.takeBehind?.(event, key) ?? false
    if (inner.partials !== undefined) this.partials = (key) => inner.partials?.(key) ?? []
    if (inner.has !== undefined) this.has = (key) => inner.has?.(key) ?? true
    if (inner.liveKeys !== undefined) this.liveKeys = () => inner.liveKeys?.() ?? []
  }

  take(event: StoredEvent, key: string): void {
    this.inner.take(event, key)
  }

  passTime(time: number): void {
    this.inner.passTime(time)
  }

  get due(): number {
    return this.inner.due
  }

  get closes(): number | undefined {
    return this.inner.closes
  }

  get wakes(): number {
    return this.inner.wakes ?? -Infinity
  }

  get horizon(): number {
    return this.inner.horizon
  }

  get stats(): ExecutorStats {
    return this.inner.stats
  }

  snapshot(): unknown {
    return this.inner.snapshot()
  }
}
