// BullMQ doing jobs that do nothing: adding many at once, working them off, and how late one is done that is added alone.
import { perSecond } from '../harness.ts'
import { BULLMQ_JOB, openBullMq } from '../delivery/bullmq.ts'

export interface JobsPeer {
  readonly version: string
  /** Adds them in bulks of 1,000. @returns jobs per second */
  add(inputs: readonly unknown[]): Promise<number>
  /** Does what was added before. @returns jobs per second */
  process(inputs: readonly unknown[], concurrency: number): Promise<number>
  /** Adds so many a second, one by one. @returns from adding to being done, of each, in ms */
  latencies(inputs: readonly unknown[], each: number, concurrency: number): Promise<readonly number[]>
  stop(): Promise<void>
}

const AT_ONCE = 1_000

/** @throws that it is not here and cannot be had */
export async function startBullMqJobs(): Promise<JobsPeer> {
  const { bullmq, version, connection, stop } = await openBullMq()
  let count = 0
  const open = (): { readonly name: string; readonly queue: InstanceType<typeof bullmq.Queue> } => {
    const name = `jobs-${(count += 1)}`
    return { name, queue: new bullmq.Queue(name, { connection }) }
  }
  const addAll = async (queue: InstanceType<typeof bullmq.Queue>, inputs: readonly unknown[]): Promise<void> => {
    for (let at = 0; at < inputs.length; at += AT_ONCE)
      await queue.addBulk(inputs.slice(at, at + AT_ONCE).map((data) => ({ name: 'job', data, opts: BULLMQ_JOB })))
  }
  const close = async (queue: InstanceType<typeof bullmq.Queue>): Promise<void> => {
    await queue.obliterate({ force: true })
    await queue.close()
  }
  /** @param onDone with the number that the job's data has */
  const work = (name: string, concurrency: number, onDone: (data: unknown) => void) => {
    let failed: unknown
    const options = { connection, concurrency, autorun: false }
    const worker = new bullmq.Worker(name, ({ data }) => Promise.resolve(void data), options)
    worker.on('completed', (job) => onDone((job as { readonly data: unknown }).data))
    worker.on('error', (error) => (failed = error))
    const end = async (): Promise<void> => {
      await worker.close()
      if (failed !== undefined) throw failed
    }
    return { start: () => void worker.run(), end }
  }
  return {
    version,
    stop,
    add: async (inputs) => {
      const { queue } = open()
      const rate = await perSecond(inputs.length, () => addAll(queue, inputs))
      await close(queue)
      return rate
    },
    process: async (inputs, concurrency) => {
      const { name, queue } = open()
      await addAll(queue, inputs)
      let left = inputs.length
      let resolve = (): void => undefined
      const done = new Promise<void>((end) => (resolve = end))
      const worker = work(name, concurrency, () => ((left -= 1) === 0 ? resolve() : undefined))
      const rate = await perSecond(inputs.length, async () => {
        worker.start()
        await done
      })
      await worker.end()
      await close(queue)
      return rate
    },
    latencies: async (inputs, each, concurrency) => {
      const { name, queue } = open()
      const added = new Map<number, number>()
      const took: number[] = []
      const worker = work(name, concurrency, (data) => {
        const { n } = data as { readonly n: number }
        took.push(performance.now() - (added.get(n) ?? Number.NaN))
      })
      worker.start()
      const began = performance.now()
      for (const n of inputs.keys()) {
        await new Promise((resolve) => setTimeout(resolve, began + (n * 1_000) / each - performance.now()))
        added.set(n, performance.now())
        void queue.add('job', { n, input: inputs[n] }, BULLMQ_JOB)
      }
      while (took.length < inputs.length) await new Promise((resolve) => setTimeout(resolve, 20))
      await worker.end()
      await close(queue)
      return took
    },
  }
}
