import { deployedScheduleId, type DeployedSchedule } from '../../runtime/schedules-at-work.js'

/** Units of the schedules that a name means, `schedule-report` or `report`; with `all` of every one. */
export function schedulesNamed(
  schedules: readonly DeployedSchedule[] = [],
  name: string | undefined,
  all: boolean | undefined,
): readonly string[] {
  return schedules
    .filter(
      (deployed) => all === true || [deployedScheduleId(deployed), deployed.declaration.name].includes(name ?? ''),
    )
    .map(deployedScheduleId)
}
