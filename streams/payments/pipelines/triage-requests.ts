import { definePipeline } from 'millrace'
import { map } from 'rxjs'
import { FraudSuspected, TriageRequested } from '../events.js'

/** Has every suspicion looked at: makes of it the request of the job `triage`, with all that a prompt has places for. */
export default definePipeline({
  name: 'triage-requests',
  version: 1,
  from: { stream: 'PAYMENTS', events: [FraudSuspected] },
  to: { stream: 'PAYMENTS', events: [TriageRequested] },
  recovery: { mode: 'stateless' },
  pipeline: (suspicions$) =>
    suspicions$.pipe(
      map(({ source, time, storedAt, attributes: { severity = 'unknown' }, data }) => {
        const { cardId, amount = 0, country = 'unknown', count = 0, merchantId, since } = data
        const minutes = since === undefined ? 0 : Math.ceil((time - since) / 60_000)
        const evidence = [
          count === 0 ? 'payments' : `${count} payments or refunds`,
          minutes === 0 ? '' : `within ${minutes} minutes`,
          merchantId === undefined ? '' : `at ${merchantId}`,
        ]
        return TriageRequested(
          {
            cardId,
            pattern: source.slice(source.lastIndexOf('/') + 1),
            severity,
            amount: Math.round(amount * 100) / 100,
            country,
            evidence: evidence.filter((part) => part !== '').join(' '),
          },
          // it is asked for when the suspicion is stored, however old the payments are: the deadline of the job begins here
          { time: storedAt },
        )
      }),
    ),
})
