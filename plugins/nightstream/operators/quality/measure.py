"""Joins predictions and labels, and keeps what the predictions are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from nightstream.links import TableLink, table_url
from nightstream.operators.quality.base import QualityOperator
from nightstream.tables import table_id
from nightstream.tables.quality import QUALITY_TABLE, quality_schema

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from google.cloud.bigquery import Client

    from nightstream.labelling.measuring import Measurement


class MeasureOperator(QualityOperator):
    """Returns how many rows of `prediction_quality` are new or changed."""

    ui_color = "#eeeaf7"
    operator_extra_links = (TableLink(),)

    def execute(self, context: Context) -> int:
        from nightstream.hooks.bigquery import QueryRefusedError, bigquery_client, extended_table
        from nightstream.labelling.files import LabelError
        from nightstream.labelling.measuring import check, keep

        client = bigquery_client(self.environment)
        table = table_id(self.environment, QUALITY_TABLE)
        self.link = table_url(self.environment, QUALITY_TABLE)
        try:
            measurement = self._measurement(client, context)
            check(client, measurement)
        except LabelError as error:
            raise AirflowFailException(str(error)) from error
        except QueryRefusedError as error:
            raise AirflowFailException(
                f"labels and predictions cannot be joined: {error}\nRemedy: see that the labels "
                "can be queried as they are, and lie in the location of the environment's dataset"
            ) from error
        extended_table(client, table, quality_schema())
        run = context["dag_run"]
        changed = keep(client, measurement, table, (run.dag_id, run.run_id))
        nights = f"{measurement.first} to {measurement.last}"
        self.log.info("Nights %s: %d rows of %s are new or changed", nights, changed, table)
        return changed

    def _measurement(self, client: Client, context: Context) -> Measurement:
        from nightstream.labelling.measuring import Measurement
        from nightstream.labelling.places import comparison, joinable_labels, place_of_labels

        labels, (first, last) = self.declared, self.nights(context)
        place = place_of_labels(self.spec, labels, self.environment)
        truth = joinable_labels(client, place, self.spec, labels)
        compared = comparison(client, self.spec, labels, self.environment, truth)
        if compared is None:
            raise AirflowSkipException("nothing was published yet, so there is nothing to measure")
        return Measurement(self.spec.service, compared, labels.metric, first, last)
