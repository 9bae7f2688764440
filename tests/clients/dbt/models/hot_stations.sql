{{ config(materialized='view', schema='marts', persist_docs={'relation': true, 'columns': true}) }}
select station, count(*) as warm_days, max(highest) as highest
from {{ ref('warm_days') }}
group by station
