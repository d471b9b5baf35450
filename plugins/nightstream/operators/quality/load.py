"""Loads label files into the table that the measurement joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from nightstream.links import TableLink, table_url
from nightstream.operators.quality.base import QualityOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class LoadLabelsOperator(QualityOperator):
    """Returns how many labels there are; is skipped where no file is there yet."""

    ui_color = "#e8f1fb"
    operator_extra_links = (TableLink(),)

    def execute(self, context: Context) -> int:
        from nightstream.hooks.bigquery import bigquery_client
        from nightstream.labelling.files import LabelError
        from nightstream.labelling.loading import load_labels
        from nightstream.labelling.places import label_columns, place_of_labels

        labels, (first, _) = self.declared, self.nights(context)
        assert labels.files is not None
        table = place_of_labels(self.spec, labels, self.environment)
        bucket = self.environment.buckets.input
        try:
            files, rows = load_labels(
                bigquery_client(self.environment),
                table,
                labels.files,
                label_columns(self.spec, labels),
                first,
                bucket,
                self.objects,
            )
        except LabelError as error:
            raise AirflowFailException(str(error)) from error
        self.link = table_url(self.environment, table.table)
        if not files:
            raise AirflowSkipException(
                f"no file of gs://{bucket}/{labels.files} was written since {first}"
            )
        self.log.info("%d files with %d labels are in %s", files, rows, table)
        return rows
