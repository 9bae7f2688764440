-- The question of the climate dashboard asks it by this name.
CREATE VIEW public.climate_analysis AS
SELECT "Area", "Year", "Temp_Change" FROM climate.temperature_change;
