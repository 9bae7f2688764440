{{ config(materialized='ephemeral') }}
select station, {{ dbt.date_trunc('day', 'observation_at') }} as day, max(temperature) as highest
from {{ source('weather', 'observations') }}
group by 1, 2
having max(temperature) > 25
