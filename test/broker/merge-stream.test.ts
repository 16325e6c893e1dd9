import type { StreamConfig } from '@nats-io/jetstream'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { isMerge, mergeStream, type MergeInput } from '../../src/broker/merge-stream.ts'
import { compare } from '../../src/broker/plan-streams.ts'
import { streamConfig } from '../../src/broker/stream-config.ts'
import { originOf, unmergedIn } from '../../src/broker/stream-sources.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { parseStoredSubject, subjectMatches } from '../../src/event/subject.ts'

const test = suite('the stream that merges inputs')

function input(name: string, options: Partial<StreamOptions> = {}, types = ['thing.done']): MergeInput {
  return { stream: defineStream({ name, root: name.toLowerCase(), partitions: 4, ...options }), types }
}

/** As the server maps it: a star is any token, and `{{wildcard(1)}}` the one it stood for. */
function mapped({ sources = [] }: StreamDeclaration, subject: string): string[] {
  const transforms = sources.flatMap((source) => source.transforms).filter(({ src }) => subjectMatches(src, subject))
  return transforms.map(({ dest }) => dest.replace('{{wildcard(1)}}', subject.split('.')[1] ?? ''))
}

test('keeps the partitions of inputs that have the same number of them', () => {
  const merge = mergeStream('both', [input('A'), input('B', {}, ['x.y', 'x.z'])])
  assert.is(merge.name, 'PIPELINE_both_INPUT')
  assert.is(merge.partitions, 4)
  assert.equal(mapped(merge, 'a.3.thing.done'), ['millrace.PIPELINE_both_INPUT.A.3.thing.done'])
  assert.equal(mapped(merge, 'b.0.x.z'), ['millrace.PIPELINE_both_INPUT.B.0.x.z'])
  assert.equal(mapped(merge, 'b.0.thing.done'), [], 'a type that is not asked for is not taken')
  assert.ok(isMerge(merge))
  assert.not(isMerge(input('A').stream))
})

test('M3 a key is in one partition whichever input its events come from, for any numbers of partitions', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 2, maxLength: 4 })
  fc.assert(
    fc.property(counts, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (partitions, hash) => {
      const merge = mergeStream(
        'p',
        partitions.map((count, at) => input(`S${at}`, { partitions: count })),
      )
      const stored = partitions.map((count, at) => mapped(merge, `s${at}.${hash % count}.thing.done`))
      assert.ok(stored.every((subjects) => subjects.length === 1))
      const found = stored.map(([subject]) => parseStoredSubject(merge.root, subject ?? '')?.partition)
      assert.is(new Set(found).size, 1)
      assert.ok(found[0] !== undefined && found[0] < merge.partitions)
    }),
  )
})

test('spreads as far as the numbers of partitions allow', () => {
  const of = (...counts: number[]) =>
    mergeStream(
      'p',
      counts.map((partitions, at) => input(`S${at}`, { partitions })),
    ).partitions
  assert.equal([of(16, 16), of(16, 4), of(12, 16), of(5, 3), of(24, 36, 60)], [16, 4, 4, 1, 12])
})

test('more filters than a server has patience for are refused, with what to do', () => {
  const types = Array.from({ length: 40 }, (_, at) => `type.t${at}`)
  mergeStream('same', [input('A', { partitions: 64 }, types), input('B', { partitions: 64 })])
  assert.throws(
    () => mergeStream('unlike', [input('A', { partitions: 64 }, types), input('B', { partitions: 16 })]),
    (error: MillraceError) =>
      error.code === 'STREAM_INVALID' && /A has 64 of them and 40 types.*same number/.test(error.detail),
  )
})

test('the order in which types are declared makes no other source', () => {
  const one = mergeStream('p', [input('A', {}, ['b.c', 'a.b', 'b.c']), input('B')])
  const other = mergeStream('p', [input('A', {}, ['a.b', 'b.c']), input('B')])
  assert.equal(one.sources, other.sources)
})

test('keeps as long as the input that keeps longest, as safely as the safest, and never gives up by size', () => {
  const day = 86_400_000
  const kept = (...retentions: StreamOptions['retention'][]) =>
    mergeStream(
      'p',
      retentions.map((retention, at) => input(`S${at}`, retention === undefined ? {} : { retention })),
    )
  assert.is(kept({ maxAge: '1d' }, { maxAge: '3d' }).maxAge, 3 * day + 60_000)
  assert.is(kept({ maxAge: '1d' }, undefined).maxAge, 0)
  assert.is(kept({ maxAge: '1d' }, { maxBytes: 1_000 }).maxAge, 0)
  assert.is(kept({ maxBytes: 1_000 }, { maxBytes: 1_000 }).maxBytes, -1)
  const mixed = mergeStream('p', [input('A', { replicas: 3, storage: 'memory' }), input('B')])
  assert.equal([mixed.replicas, mixed.storage], [3, 'file'])
  assert.is(mergeStream('p', [input('A', { storage: 'memory' }), input('B', { storage: 'memory' })]).storage, 'memory')
})

test('no subject of its own but that of redrives, no lifetimes, rollups or ids: what the inputs have is taken as it is', () => {
  const config = streamConfig(mergeStream('p', [input('A'), input('B')]))
  assert.equal(config.subjects, ['millrace.PIPELINE_p_INPUT.redrive.>'])
  assert.is(config.duplicate_window, 0)
  assert.is(config.allow_rollup_hdrs, false)
  assert.is(config.allow_msg_ttl, undefined)
})

test('the subjects of one input are told from another’s, and both are of the one root', () => {
  const { root } = mergeStream('p', [input('A'), input('B')])
  const parsed = (subject: string) => parseStoredSubject(root, subject)
  assert.equal(parsed('millrace.PIPELINE_p_INPUT.A.3.x.y'), { partition: 3, type: 'x.y' })
  assert.equal(parsed('millrace.PIPELINE_p_INPUT.LONGER.12.x'), { partition: 12, type: 'x' })
  for (const other of [
    'millrace.PIPELINE_p_INPUT.A.x.y',
    'millrace.PIPELINE_q_INPUT.A.3.x',
    'millrace.PIPELINE_p_INPUT',
  ])
    assert.is(parsed(other), undefined, other)
})

test('an input cannot have the name under which redriven events come in', () => {
  assert.throws(
    () => mergeStream('p', [input('A'), input('redrive')]),
    (error: unknown) => isFault(error, 'STREAM_INVALID'),
  )
})

test('a start that a source was given, and notes of an operator, are no drift', () => {
  const merge = mergeStream('p', [input('A'), input('B')])
  const config = streamConfig(merge)
  const deployed = {
    ...config,
    duplicate_window: undefined,
    sources: [...(config.sources ?? [])].reverse().map((source) => ({ ...source, opt_start_seq: 7 })),
    metadata: { ...config.metadata, team: 'fraud', '_nats.level': '5' },
  } as unknown as StreamConfig
  assert.is(compare(config, deployed).kind, 'unchanged')
})

test('another type is an update, another number of partitions is refused with the reason', () => {
  const config = streamConfig(mergeStream('p', [input('A'), input('B')]))
  const asDeployed = config as unknown as StreamConfig
  const more = compare(streamConfig(mergeStream('p', [input('A', {}, ['thing.done', 'more']), input('B')])), asDeployed)
  assert.equal(more.kind === 'update' && more.changes.map(({ setting }) => setting), ['sources'])
  const third = [input('A'), input('B'), input('C', { partitions: 6 })]
  const fewer = compare(streamConfig(mergeStream('p', third)), asDeployed)
  assert.match(fewer.kind === 'refused' ? fewer.reason : '', /other numbers of partitions/)
})

test('what is still to be merged is counted over all inputs', () => {
  const of = (...lags: number[]) => ({ sources: lags.map((lag) => ({ name: 'A', lag, active: 0 })) })
  assert.equal(
    [unmergedIn({}), unmergedIn(of()), unmergedIn(of(0)), unmergedIn(of(3, 4))],
    [undefined, undefined, 0, 7],
  )
})

test('where a message came from is read from its header, and from nothing else', () => {
  assert.equal(originOf('A 17 a.*.x m.{{wildcard(1)}}.x a.1.x MuSS2U6C'), { stream: 'A', sequence: 17 })
  assert.equal(originOf('A:vSF0ECo6 17 > > a.1.x'), { stream: 'A', sequence: 17 })
  for (const header of [undefined, '', 'A', 'A x', 'A 0', ' 5', 'A -1', 'A 1.5']) assert.is(originOf(header), undefined)
})

test.run()
