import { defineActor, on, reject } from 'millrace'
import { DecideAnalysis, OverrideAnalysis, RequestAnalysis, StartAnalysis } from '../commands.js'
import { AnalysisDecided, AnalysisOverridden, AnalysisRequested, AnalysisStarted } from '../events.js'
import { FraudSuspected } from '../../payments/events.js'

type Verdict = 'fraud' | 'honest' | 'unclear'
type Analysis =
  | { readonly status: 'none' }
  | { readonly status: 'requested' | 'started'; readonly cardId: string }
  | { readonly status: 'decided' | 'overridden'; readonly cardId: string; readonly verdict: Verdict }

/**
 * What became of one suspicion: who looked into it, what was decided, and who decided otherwise. Nothing of it is
 * forgotten: what was overridden stays on record.
 */
export default defineActor({
  name: 'analysis',
  version: 1,
  initial: (): Analysis => ({ status: 'none' }),
  commands: [RequestAnalysis, StartAnalysis, DecideAnalysis, OverrideAnalysis],
  events: [AnalysisRequested, AnalysisStarted, AnalysisDecided, AnalysisOverridden],
  reactions: [
    on(FraudSuspected, { stream: 'PAYMENTS' }, ({ id, data, attributes }) =>
      RequestAnalysis({
        analysisId: `suspicion-${id}`.slice(0, 64),
        cardId: data.cardId,
        question: `Is it fraud? ${attributes['rule'] ?? 'A rule'} says so.`,
        inputs: [id],
      }),
    ),
  ],
  decide: {
    'analysis.request': ({ status }, { data }) => (status === 'none' ? [AnalysisRequested(data)] : []),
    'analysis.start': (analysis, { data }) => {
      if (analysis.status === 'requested') return [AnalysisStarted({ ...data, cardId: analysis.cardId })]
      return analysis.status === 'none' ? reject('not-requested', 'nobody asked for it') : []
    },
    'analysis.decide': (analysis, { data }) =>
      analysis.status === 'requested' || analysis.status === 'started'
        ? [AnalysisDecided({ ...data, cardId: analysis.cardId })]
        : reject('not-open', `the analysis is ${analysis.status}`),
    'analysis.override': (analysis, { data }) => {
      if (!('verdict' in analysis)) return reject('not-decided', `the analysis is ${analysis.status}`)
      const { cardId, verdict: former } = analysis
      return former === data.verdict ? [] : [AnalysisOverridden({ ...data, cardId, former })]
    },
  },
  evolve: {
    'analysis.requested': (_, { data }) => ({ status: 'requested', cardId: data.cardId }),
    'analysis.started': (_, { data }) => ({ status: 'started', cardId: data.cardId }),
    'analysis.decided': (_, { data }) => ({ status: 'decided', cardId: data.cardId, verdict: data.verdict }),
    'analysis.overridden': (_, { data }) => ({ status: 'overridden', cardId: data.cardId, verdict: data.verdict }),
  },
})
